"""The sentences for drivers in English."""

from __future__ import annotations

SENTENCES = {
    "depart": "Set off[ along {street}][ toward {toward}]",
    "arrive": "You are there",
    "arrive.left": "You are there, on the left",
    "arrive.slight_left": "You are there, on the left",
    "arrive.sharp_left": "You are there, on the left",
    "arrive.right": "You are there, on the right",
    "arrive.slight_right": "You are there, on the right",
    "arrive.sharp_right": "You are there, on the right",
    "arrive.straight": "You are there, straight ahead",
    "turn": "Turn[ onto {street}][ toward {toward}]",
    "turn.straight": "Go straight on[ along {street}][ toward {toward}]",
    "turn.back": "Turn round[ onto {street}][ toward {toward}]",
    "turn.slight_left": "Bear left[ onto {street}][ toward {toward}]",
    "turn.slight_right": "Bear right[ onto {street}][ toward {toward}]",
    "turn.heading": "Turn {heading}[ onto {street}][ toward {toward}]",
    "continue": "Go on[ along {street}][ toward {toward}]",
    "continue.straight": "Go straight on[ along {street}][ toward {toward}]",
    "continue.back": "Turn round[ and stay on {street}][ toward {toward}]",
    "continue.heading": "Follow the road {heading}[, along {street}][ toward {toward}]",
    "merge": "Merge[ onto {street}][ toward {toward}]",
    "merge.heading": "Merge {heading}[ onto {street}][ toward {toward}]",
    "on_ramp": "Take the slip road[ onto {street}][ toward {toward}]",
    "on_ramp.heading": "Take the slip road {heading}[ onto {street}][ toward {toward}]",
    "off_ramp": "Take the exit[ onto {street}][ toward {toward}]",
    "off_ramp.heading": "Take the exit {heading}[ onto {street}][ toward {toward}]",
    "fork": "At the fork keep to your road[, {street}][ toward {toward}]",
    "fork.straight": "At the fork stay in the middle[, onto {street}][ toward {toward}]",
    "fork.heading": "At the fork keep {heading}[ onto {street}][ toward {toward}]",
    "end_of_road": "The road ends: turn[ onto {street}][ toward {toward}]",
    "end_of_road.straight": "The road ends: go straight on[ along {street}][ toward {toward}]",
    "end_of_road.back": "The road ends: turn round[ onto {street}][ toward {toward}]",
    "end_of_road.heading": "The road ends: turn {heading}[ onto {street}][ toward {toward}]",
    "roundabout": "Go through the roundabout[ onto {street}][ toward {toward}]",
    "roundabout.exit": "Roundabout: take the {exit} exit[ onto {street}][ toward {toward}]",
    "exit_roundabout": "Leave the roundabout[ onto {street}][ toward {toward}]",
    "exit_roundabout.exit": "Leave the roundabout by the {exit} exit[ onto {street}]"
    "[ toward {toward}]",
    "ferry": "Take the ferry[: {street}][ toward {toward}]",
}
HEADINGS = {
    "left": "left",
    "slight_left": "left",
    "sharp_left": "sharp left",
    "right": "right",
    "slight_right": "right",
    "sharp_right": "sharp right",
}
ORDINALS = ("1st", "2nd", "3rd", "{number}th")
