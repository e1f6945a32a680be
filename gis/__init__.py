"""The ground: PostGIS, coordinates, geometry, indexes, settings, errors, territory and audit."""
