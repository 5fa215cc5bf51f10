package metrics

// SampleOnce reads one sample.
var SampleOnce = (*Metrics).sampleOnce
