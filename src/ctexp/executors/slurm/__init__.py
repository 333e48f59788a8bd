"""Work as jobs of SLURM."""
