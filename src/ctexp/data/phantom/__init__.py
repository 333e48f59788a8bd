"""The synthetic set: a torso with lungs, vessels and a tumour, scanned by a simulated CT, then windowed."""
