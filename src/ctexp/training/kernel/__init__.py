"""One training: the step, the loop around it, what it needs to be stopped and resumed exactly."""
