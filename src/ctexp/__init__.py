"""ctexp: chest-CT classification experiments that run unattended and leave a defensible record."""

__version__ = "0.1.0"
