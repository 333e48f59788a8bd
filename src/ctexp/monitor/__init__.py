"""What looks wrong with runs: rules over their records, whether they train or have ended."""
