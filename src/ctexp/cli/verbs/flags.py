"""Flags that many verbs have."""

JSON = {"json": "print the result as one JSON document on stdout"}
DEBUG = {"debug": "show the traceback of an error"}
