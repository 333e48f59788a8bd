"""What a project has seen so far on one set of images: recipes, their runs, their differences, the data."""
