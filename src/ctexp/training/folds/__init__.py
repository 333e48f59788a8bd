"""Cross-validation: folds as ordinary runs, their out-of-fold predictions, their ensemble."""
