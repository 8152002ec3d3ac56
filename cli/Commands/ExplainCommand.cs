using System.CommandLine;
using NinCudnn.Cli.Plots;
using NinCudnn.Cli.Runs;
using NinCudnn.Devices;
using NinCudnn.Interop;
using NinCudnn.Training;

namespace NinCudnn.Cli.Commands;

/// <summary><c>nin explain</c></summary>
internal static class ExplainCommand
{
    public static Command Create()
    {
        Argument<string> image = new("image") { Description = "The image." };
        Option<string> checkpoint = SharedOptions.Checkpoint();
        Option<string?> asked = new("--class") { Description = "The class to explain; the predicted one if not given.", HelpName = "name" };
        Option<bool> invert = SharedOptions.Invert();
        Option<FileInfo?> output = SharedOptions.OutputFile();
        Option<DeviceRequest> device = SharedOptions.Device();
        Option<string?> precision = SharedOptions.Precision("fp32");

        var command = new Command("explain", "Draws which parts of an image speak for a class: the class map of the last block.")
        {
            image, checkpoint, asked, output, invert, device, precision,
        };
        command.SetAction(parsed =>
        {
            string source = parsed.GetRequiredValue(image), target = SharedOptions.Target(parsed.GetRequiredValue(output)!, source);
            Picture.CheckName(target);
            ModelFile model = ModelFile.Load(RunDirectory.FindModel(parsed.GetRequiredValue(checkpoint)));
            IReadOnlyList<string> names = model.Description.ClassNames;
            int? label = parsed.GetValue(asked) is { } name ? Find(names, name) : null;
            using var loaded = new LoadedModel(
                model, parsed.GetValue(invert), Device.Open(parsed.GetRequiredValue(device)), parsed.GetValue(precision), batch: 1);

            Predictor predictor = loaded.Predictor;
            var pixels = new byte[predictor.ImageBytes];
            var probabilities = new float[names.Count];
            var maps = new float[predictor.ClassMapShape.Count];
            loaded.Images.Decode(source, model.Description.ImageSize, pixels);
            predictor.Predict(pixels, probabilities, maps);
            ClassScores.Softmax(probabilities, names.Count);
            int predicted = ClassScores.Best(probabilities);
            int explained = label ?? predicted;
            if (explained < 0)
                throw new InvalidDataException($"{source}: the model's scores are no numbers");

            int channels = model.Description.Architecture.InputChannels;
            var shown = new byte[ClassMapPlot.Size * ClassMapPlot.Size * channels];
            loaded.Images.Decode(source, ClassMapPlot.Size, shown);
            var (height, width) = (predictor.ClassMapShape.H, predictor.ClassMapShape.W);
            float[] map = [.. Enumerable.Range(0, height * width).Select(place => maps[place * names.Count + explained])];
            string title = Score(explained);
            ClassMapPlot.Save(target, shown, channels, map, height, width, title);
            Console.WriteLine($"{target}: {title}{(explained == predicted ? "" : $", predicted is {Score(predicted)}")}, by a map of {height}×{width}");
            if (height * width == 1)
            {
                int size = model.Description.ImageSize;
                Console.Error.WriteLine(
                    $"nin: at {size}×{size} pixels the class map has a single place; models for larger images (nin train --resize) show where");
            }
            return ExitCode.Success;

            string Score(int c) => c < 0 ? "nothing" : FormattableString.Invariant($"{names[c]} {probabilities[c]:0.0000}");
        });
        return command;
    }

    /// <exception cref="ArgumentException">The model has no such class.</exception>
    private static int Find(IReadOnlyList<string> names, string name)
    {
        for (int label = 0; label < names.Count; label++)
        {
            if (string.Equals(names[label], name, StringComparison.OrdinalIgnoreCase))
                return label;
        }
        throw new ArgumentException($"--class is '{name}', but the model has {string.Join(", ", names)}");
    }
}
