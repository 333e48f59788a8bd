"""From stored predictions to numbers with intervals, and to figures."""
