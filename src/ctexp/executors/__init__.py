"""Where work runs: this machine, SLURM, Ray, Modal, behind one protocol; how trainings are carried out."""
