using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using NinCudnn.Cli.Output;
using NinCudnn.Cli.Runs;
using NinCudnn.Devices;
using NinCudnn.Interop;
using NinCudnn.Training;

namespace NinCudnn.Cli.Commands;

/// <summary><c>nin predict</c></summary>
internal static class PredictCommand
{
    private const int Batch = 32;
    private const int DefaultTopK = 3;

    public static Command Create()
    {
        Argument<string[]> images = new("images")
        {
            Description = "Images: files, folders with all in and below them, patterns such as '*.png', or - for a list of files on standard input.",
            Arity = ArgumentArity.OneOrMore,
        };
        Option<string> checkpoint = SharedOptions.Checkpoint();
        Option<int?> topK = SharedOptions.Positive(new("--top-k") { Description = $"The likeliest classes to show, {DefaultTopK} if not given.", HelpName = "n" });
        Option<bool> invert = SharedOptions.Invert();
        Option<DeviceRequest> device = SharedOptions.Device();
        Option<string?> precision = SharedOptions.Precision("fp32");
        Option<bool> json = SharedOptions.Json();

        var command = new Command("predict", "Says what a trained model takes images for.") { images, checkpoint, topK, invert, device, precision, json };
        command.SetAction(parsed =>
        {
            ModelFile model = ModelFile.Load(RunDirectory.FindModel(parsed.GetRequiredValue(checkpoint)));
            int shown = parsed.GetValue(topK) ?? DefaultTopK;
            bool isJson = parsed.GetValue(json);
            using var interruption = new Interruption(isLive: false);
            using var loaded = new LoadedModel(
                model, parsed.GetValue(invert), Device.Open(parsed.GetRequiredValue(device)), parsed.GetValue(precision), Batch);
            bool isComplete = true;
            foreach (NamedImage[] part in ImagePaths.Expand(parsed.GetRequiredValue(images), Console.In).Chunk(Batch))
            {
                interruption.Token.ThrowIfCancellationRequested();
                isComplete &= Predict(loaded, part, shown, isJson);
            }
            return isComplete ? ExitCode.Success : ExitCode.Failure;
        });
        return command;
    }

    /// <summary>Writes a line for each image, or for what is wrong with it.</summary>
    /// <returns>Whether all could be predicted.</returns>
    private static bool Predict(LoadedModel model, NamedImage[] images, int shown, bool isJson)
    {
        int imageBytes = model.Predictor.ImageBytes, classes = model.Description.Architecture.Classes;
        var pixels = new byte[images.Length * imageBytes];
        var problems = new string?[images.Length];
        Parallel.For(0, images.Length, i => problems[i] = Decode(model, images[i], pixels.AsSpan(i * imageBytes, imageBytes)));
        var probabilities = new float[images.Length * classes];
        model.Predictor.Predict(pixels, probabilities); // the broken ones' too, as black images
        ClassScores.Softmax(probabilities, classes);

        for (int i = 0; i < images.Length; i++)
        {
            if (problems[i] is { } problem)
                Failure.Write(problem);
            else
                Write(images[i].Path, probabilities.AsSpan(i * classes, classes), model.Description.ClassNames, shown, isJson);
        }
        return problems.All(problem => problem is null);
    }

    /// <returns>What is wrong with the image, null if nothing is.</returns>
    private static string? Decode(LoadedModel model, NamedImage image, Span<byte> pixels)
    {
        if (image.Problem is { } problem)
            return $"{image.Path} {problem}";
        try
        {
            model.Images.Decode(image.Path, model.Description.ImageSize, pixels);
            return null;
        }
        catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            return e.Message;
        }
    }

    private static void Write(string path, ReadOnlySpan<float> probabilities, IReadOnlyList<string> names, int shown, bool isJson)
    {
        float[] values = probabilities.ToArray();
        int[] best = ClassScores.Best(probabilities, shown);
        if (isJson)
        {
            var line = new PredictionEvent("prediction", path, [.. best.Select(label => new PredictedClass(names[label], label, values[label]))]);
            Console.WriteLine(JsonSerializer.Serialize(line, JsonEventsContext.Default.PredictionEvent));
            return;
        }
        Console.WriteLine(
            $"{path}: {string.Join(", ", best.Select(label => string.Create(CultureInfo.InvariantCulture, $"{names[label]} {values[label]:0.0000}")))}");
    }
}
