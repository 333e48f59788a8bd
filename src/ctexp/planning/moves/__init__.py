"""What can be done next: the catalogue in `conf/moves`, and what is believed of each move, here and now."""
