"""Programs that carry out the same trainings in other ways, each as its documentation would have it."""
