"""Who is responsible for which ground: cells, members, duties; point -> cell -> person."""
