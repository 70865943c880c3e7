"""A round: what came back, where each value is from, and whether everything is accounted for."""
