using NinCudnn.Networks;
using NinCudnn.Operators;
using NinCudnn.Tests;
using NinCudnn.Training;

namespace Nin.Tests;

/// <summary>
/// A model without training: its classes are red, green and blue, and a class's score is 8 times the image's mean of that colour, its map 8
/// times the colour at each place.
/// </summary>
internal static class ColourModel
{
    private const float Scale = 8;

    /// <returns>The model's file.</returns>
    public static string Write(TemporaryDirectory directory, int imageSize = 8)
    {
        var architecture = new Architecture("colours", 3, 3, [new NinBlock(3, 1, 1, 0, [3]), new GlobalAveragePool(), new Flatten()]);
        string path = directory.File("colours.safetensors");
        new ModelFile(
            new ModelDescription(architecture, imageSize, Normalization.None(3), ["red", "green", "blue"]),
            new Dictionary<string, float[]>
            {
                ["0.0.weight"] = [1, 0, 0, 0, 1, 0, 0, 0, 1],
                ["0.0.bias"] = [0, 0, 0],
                ["0.2.weight"] = [Scale, 0, 0, 0, Scale, 0, 0, 0, Scale],
                ["0.2.bias"] = [0, 0, 0],
            }).Save(path);
        return path;
    }
}
