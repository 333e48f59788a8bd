"""What a job costs beyond its own work: a job of a night, and a trial of a sweep; see `__main__`."""
