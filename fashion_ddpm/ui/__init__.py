"""The page's tabs: layout and handlers, no tensor maths."""
