"""Radiomics: fifty numbers an image, computed once, kept, ranked and fed to training.

`body` finds what is measured; `intensity`, `glcm`, `shape`, `region` and `wavelet` measure it; `columns` says
which fifty there are. `extract` does so for a data set, with `store` for what is done already and `table` for
the result; `ranking` and `lists` say which columns tell the classes apart; `inputs` hands them to a training.
"""
