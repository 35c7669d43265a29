"""Layout and event handlers of the page's tabs; no tensor maths."""
