"""Small charts as SVG text: crisp on paper, made to be read aloud too, a few kilobytes each."""
