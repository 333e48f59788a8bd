"""How a night begins: what is asked, checked, made or reopened, before the script takes over."""
