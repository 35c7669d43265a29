"""What the page's tabs show: layout and handlers, no tensor maths."""
