"""A queue seen from outside: its jobs now, when they will end; and dropping one."""
