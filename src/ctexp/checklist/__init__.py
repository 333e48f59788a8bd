"""What it takes to make a run again and to find it again, and how much of that a record has.

`points` is the checklist with its weights, `evidence` what one run's directory says, the rooms beside them
(`source`, `recipe`, `surroundings`, `outcome`, `naming`) judge one point each, `audit` puts them together for
one run or many, and `advice` says what to do next.
"""
