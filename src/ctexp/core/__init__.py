"""The ground floor: errors, files, locks, names, clock, paths, screens. Imports nothing of ctexp."""
