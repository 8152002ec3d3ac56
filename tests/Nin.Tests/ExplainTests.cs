using NinCudnn.Tests;
using NinCudnn.Tests.Data;
using SkiaSharp;
using Xunit;

namespace Nin.Tests;

/// <summary><c>nin explain</c></summary>
[Trait("Modes", "all")]
public sealed class ExplainTests : IDisposable
{
    // Points of the picture: in the panel of the input and in that of the map, well within the red and at the right end of the green.
    private static readonly (int X, int Y)[] _points = [(128, 272), (446, 272), (608, 272), (926, 272)];

    private readonly TemporaryDirectory _root = new();
    private readonly string _model, _image;

    public ExplainTests()
    {
        _model = ColourModel.Write(_root);
        // Three quarters red at the left, the rest green.
        byte[] rgba = [.. Enumerable.Range(0, 8 * 16).SelectMany(i => i % 16 < 12 ? (byte[])[255, 0, 0, 255] : [0, 255, 0, 255])];
        _image = _root.Write("image.png", ImageBytes.Encode(SKEncodedImageFormat.Png, 8, 16, rgba));
    }

    public void Dispose() => _root.Dispose();

    [Fact]
    public void Explain_PredictedClass_LightsUpItsPlaces()
    {
        string picture = _root.File("out.png");

        // The means of the colours are 0.75 and 0.25: e⁶ / (e⁶ + e² + 1).
        Assert.Equal($"{picture}: red 0.9796, by a map of 8×8\n", Explain(picture).Succeeded().Output);

        SKColor[] colours = Colours(picture);
        Assert.Equal((new SKColor(255, 0, 0), new SKColor(0, 255, 0)), (colours[0], colours[1]));
        // Six tenths Viridis' last colour (253, 231, 37) over red, six tenths its first (68, 1, 84) over green.
        AssertNear(new SKColor(254, 139, 22), colours[2]);
        AssertNear(new SKColor(41, 103, 50), colours[3]);
    }

    [Fact]
    public void Explain_GivenClass_SaysWhatIsPredictedInstead()
    {
        string picture = _root.File("out.png");

        Assert.Equal($"{picture}: green 0.0179, predicted is red 0.9796, by a map of 8×8\n", Explain(picture, "--class", "GREEN").Succeeded().Output);

        SKColor[] colours = Colours(picture);
        AssertNear(new SKColor(143, 1, 50), colours[2]);
        AssertNear(new SKColor(152, 241, 22), colours[3]);
    }

    [Fact]
    public void Explain_MapOfOneValue_IsDrawn()
    {
        string picture = _root.File("out.png");
        Explain(picture, "--class", "blue").Succeeded();
        SKColor[] colours = Colours(picture);
        AssertNear(new SKColor(143, 1, 50), colours[2]);
        AssertNear(new SKColor(41, 103, 50), colours[3]);
    }

    [Fact]
    public void Explain_MapOfOnePlace_SaysWhyNothingIsSeen()
    {
        string picture = _root.File("out.png");
        string model = ColourModel.Write(_root, imageSize: 1);

        ProgramResult result = NinProgram.Run("explain", _image, "--checkpoint", model, "--output", picture, "--device", "cpu");

        Assert.Equal(0, result.ExitCode);
        Assert.EndsWith(", by a map of 1×1\n", result.Output, StringComparison.Ordinal);
        Assert.StartsWith("nin: at 1×1 pixels the class map has a single place", result.Errors, StringComparison.Ordinal);
        Assert.True(File.Exists(picture));
    }

    [Fact]
    public void Explain_ToSvg_IsAPicture()
    {
        string picture = _root.File("out.svg");
        Explain(picture).Succeeded();
        Assert.Contains("<svg", File.ReadAllText(picture), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("out.png", "--class", "violet", "--class is 'violet', but the model has red, green, blue")]
    [InlineData("out.jpg", "--class", "red", "must be named .png or .svg")]
    public void Explain_WrongRequest_SaysWhatThereIs(string output, string option, string value, string message)
    {
        Explain(_root.File(output), option, value).Failed(2, message);
        Assert.False(File.Exists(_root.File(output)));
    }

    [Fact]
    public void Explain_BrokenImage_Fails()
    {
        string broken = _root.Write("broken.png", "nothing"u8);
        NinProgram.Run("explain", broken, "--checkpoint", _model, "--output", _root.File("out.png"), "--device", "cpu").Failed(1, broken);
    }

    private ProgramResult Explain(string output, params string[] options) =>
        NinProgram.Run(["explain", _image, "--checkpoint", _model, "--output", output, "--device", "cpu", .. options]);

    private static SKColor[] Colours(string picture)
    {
        using SKBitmap bitmap = SKBitmap.Decode(picture);
        return [.. _points.Select(point => bitmap.GetPixel(point.X, point.Y))];
    }

    /// <summary>Within two levels: a rounding when the map is coloured, one when it is blended.</summary>
    private static void AssertNear(SKColor expected, SKColor actual)
    {
        int distance = new[] { expected.Red - actual.Red, expected.Green - actual.Green, expected.Blue - actual.Blue }.Max(Math.Abs);
        Assert.True(distance <= 2, $"{actual} instead of {expected}");
    }
}
