"""What can a prosumer own that ties its hours together? Batteries, cars, heat pumps, deferrable loads: a file each."""
