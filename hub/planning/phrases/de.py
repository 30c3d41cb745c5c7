"""The sentences for drivers in German."""

from __future__ import annotations

SENTENCES = {
    "depart": "Losfahren[ auf {street}][ Richtung {toward}]",
    "arrive": "Ziel erreicht",
    "arrive.left": "Ziel erreicht, auf der linken Seite",
    "arrive.slight_left": "Ziel erreicht, auf der linken Seite",
    "arrive.sharp_left": "Ziel erreicht, auf der linken Seite",
    "arrive.right": "Ziel erreicht, auf der rechten Seite",
    "arrive.slight_right": "Ziel erreicht, auf der rechten Seite",
    "arrive.sharp_right": "Ziel erreicht, auf der rechten Seite",
    "arrive.straight": "Ziel erreicht, geradeaus vor Ihnen",
    "turn": "Abbiegen[ auf {street}][ Richtung {toward}]",
    "turn.straight": "Geradeaus weiter[ auf {street}][ Richtung {toward}]",
    "turn.back": "Wenden[ auf {street}][ Richtung {toward}]",
    "turn.slight_left": "Leicht links halten[ auf {street}][ Richtung {toward}]",
    "turn.slight_right": "Leicht rechts halten[ auf {street}][ Richtung {toward}]",
    "turn.heading": "{heading} abbiegen[ auf {street}][ Richtung {toward}]",
    "continue": "Weiterfahren[ auf {street}][ Richtung {toward}]",
    "continue.straight": "Geradeaus weiter[ auf {street}][ Richtung {toward}]",
    "continue.back": "Wenden[ und auf {street} bleiben][ Richtung {toward}]",
    "continue.heading": "{heading} der Strasse folgen[, auf {street}][ Richtung {toward}]",
    "merge": "Einfädeln[ auf {street}][ Richtung {toward}]",
    "merge.heading": "{heading} einfädeln[ auf {street}][ Richtung {toward}]",
    "on_ramp": "Die Auffahrt nehmen[ auf {street}][ Richtung {toward}]",
    "on_ramp.heading": "{heading} die Auffahrt nehmen[ auf {street}][ Richtung {toward}]",
    "off_ramp": "Die Ausfahrt nehmen[ auf {street}][ Richtung {toward}]",
    "off_ramp.heading": "{heading} die Ausfahrt nehmen[ auf {street}][ Richtung {toward}]",
    "fork": "An der Gabelung auf der Strasse bleiben[, {street}][ Richtung {toward}]",
    "fork.straight": "An der Gabelung in der Mitte bleiben[, auf {street}][ Richtung {toward}]",
    "fork.heading": "An der Gabelung {heading} halten[ auf {street}][ Richtung {toward}]",
    "end_of_road": "Am Ende der Strasse abbiegen[ auf {street}][ Richtung {toward}]",
    "end_of_road.straight": "Am Ende der Strasse geradeaus[ auf {street}][ Richtung {toward}]",
    "end_of_road.back": "Am Ende der Strasse wenden[ auf {street}][ Richtung {toward}]",
    "end_of_road.heading": "Am Ende der Strasse {heading}[ auf {street}][ Richtung {toward}]",
    "roundabout": "Durch den Kreisel fahren[ auf {street}][ Richtung {toward}]",
    "roundabout.exit": "Im Kreisel die {exit} Ausfahrt nehmen[ auf {street}][ Richtung {toward}]",
    "exit_roundabout": "Den Kreisel verlassen[ auf {street}][ Richtung {toward}]",
    "exit_roundabout.exit": "Den Kreisel durch die {exit} Ausfahrt verlassen[ auf {street}]"
    "[ Richtung {toward}]",
    "ferry": "Die Fähre nehmen[: {street}][ Richtung {toward}]",
}
HEADINGS = {
    "left": "links",
    "slight_left": "links",
    "sharp_left": "scharf links",
    "right": "rechts",
    "slight_right": "rechts",
    "sharp_right": "scharf rechts",
}
ORDINALS = ("erste", "zweite", "dritte", "vierte", "fünfte", "sechste", "{number}.")
