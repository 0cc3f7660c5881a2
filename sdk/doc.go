// Package sdk is what an application imports: it opens a model and says what is
// in a picture.
//
//	model, err := sdk.Open("model.safetensors")
//	...
//	defer model.Close()
//	predictions, err := model.Classify(ctx, img)
//
// The online flow runs through it: a frame, which is any image.Image (YUYV and
// NV12 are types for what cameras give), is preprocessed as the model file says (resize, crop, normalise and quantise),
// run by the engine or, for float32 and fp16 models, by nn's float reference,
// and comes out as labels with probabilities or as an embedding.
//
// A Pipeline does so for several cameras at once: capture, preprocessing and
// inference overlap, and the cameras share the model in turn.
//
//	p, err := sdk.NewPipeline(model, sdk.From("door", door.Frames), sdk.From("yard", yard.Frames))
//	...
//	for result, err := range p.Results(ctx) {
//
// A Model is safe for concurrent use. Steady use of ClassifyInto, EmbedInto and
// Stream, and a Pipeline, allocate nothing for images of one size. The package needs no cgo.
//
// It may import models, internal/modelfile, internal/preprocess,
// internal/engine and nn.
package sdk
