"""Where work runs: processes of this machine, fresh or forked from a warm trainer, behind one protocol."""
