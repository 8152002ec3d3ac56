namespace NinCudnn.Training;

/// <summary>What a network says of one image.</summary>
/// <param name="Logits">(classes). <see cref="ClassScores"/> makes probabilities of them.</param>
/// <param name="ClassMaps">(h, w, classes), see <see cref="BatchingPredictor.ClassMapShape"/>.</param>
public sealed record ImagePrediction(float[] Logits, float[] ClassMaps);
