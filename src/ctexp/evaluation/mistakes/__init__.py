"""Where a run is wrong: computed from stored predictions and the catalog, without any network."""
