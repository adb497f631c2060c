"""Flat vector pictures of the demo's goods: one function a thing, in files by department.

Everything here is a pure function of its arguments, so a picture has the same bytes each time.
"""
