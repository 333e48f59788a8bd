"""What it takes to make a run again and to find it again, and how much of that a record has.

`points` is the checklist with its weights and the modules that answer for one point each (`source`, `recipe`,
`surroundings`, `outcome`, `naming`), `evidence` what one run's directory says, `audit` puts them together for
one run or many, and `advice` says what to do next.
"""
