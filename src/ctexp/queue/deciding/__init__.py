"""What comes next, gates and bases: decisions, without doing anything about them."""
