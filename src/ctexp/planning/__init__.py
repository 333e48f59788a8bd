"""Plans: what is asked of a night, what it will cost, what fits, and the script that carries it out."""
