-- Delivery truck: the car profile of OSRM's own distribution, with a truck's size and patience.
-- HUB_OSRM_PROFILES names the folder of that distribution's profiles.
package.path = os.getenv("HUB_OSRM_PROFILES") .. "/?.lua;" .. package.path

local car = dofile(os.getenv("HUB_OSRM_PROFILES") .. "/car.lua")
local car_setup = car.setup

local function with(name, sequence)
  local out = { name }
  for _, value in ipairs(sequence) do out[#out + 1] = value end
  return Sequence(out)
end

-- A 12 t truck, 8.5 m long and 3.5 m high, that keeps to 80 km/h.
function setup()
  local profile = car_setup()
  profile.vehicle_height = 3.5
  profile.vehicle_width = 2.55
  profile.vehicle_length = 8.5
  profile.vehicle_weight = 12000
  profile.vehicle_max_speed = 80
  profile.turn_penalty = 11
  profile.properties.u_turn_penalty = 60
  profile.access_tags_hierarchy = with("hgv", profile.access_tags_hierarchy)
  profile.restrictions = with("hgv", profile.restrictions)
  return profile
end

-- Trucks take longer than cars on every road: they start slowly and turn wide.
local slower = 0.87
local car_way = car.process_way

function process_way(profile, way, result, relations)
  car_way(profile, way, result, relations)
  for _, field in ipairs({ "forward_speed", "backward_speed", "forward_rate", "backward_rate" }) do
    if result[field] > 0 then result[field] = result[field] * slower end
  end
end

car.setup = setup
car.process_way = process_way
return car
