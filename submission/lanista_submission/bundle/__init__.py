"""An exported policy on its way into an archive that needs nothing but Python and numpy."""
