"""From a diagnosis and a catalogue of moves to a plan, with its reasons."""
