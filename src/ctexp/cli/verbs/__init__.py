"""The signatures of all verbs, by what they are about; nothing happens in them."""
