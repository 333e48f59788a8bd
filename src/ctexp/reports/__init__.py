"""Pages for people, made from run directories alone.

selection     which runs a page is about, put together to experiments          moments
sheets        all that is known of one experiment
comparing     the experiments held against one of them
statements    the verdict in sentences
pictures      the charts of an experiment                                       ranked, charts/
operating     cancer or normal at a threshold
gallery       the worst mistakes with their pictures
provenance    where the numbers come from
warnings      what to know before believing them
build         all of it
page/         as one HTML file                                                  wording
tables        as CSV
"""
