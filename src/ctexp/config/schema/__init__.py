"""What a configuration may say: every key, its type and its range.

Strict on purpose: no text becomes a number, no unknown key passes, no float is infinite or NaN. Nothing has
a default here; the defaults are in `conf/`, where they can be read and changed, and a key that is missing
there is an error. A field's `description` is what error messages say was expected.
"""

from ctexp.config.schema.settings import Settings

__all__ = ["Settings"]
