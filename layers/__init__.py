"""What stands on the ground: areas, buildings, households, shops, components and the base map."""
