"""One agent: it takes a trial, trains its runs, tells what came of it, and takes the next."""
