using NinCudnn.Cli.Plots;
using NinCudnn.Data;
using NinCudnn.Formats;
using NinCudnn.Training;
using SkiaSharp;

namespace NinCudnn.Cli.Runs;

/// <summary>
/// Writes a run for TensorBoard: loss and accuracy of each reporting interval and of each epoch, the learning rate, and after each epoch the
/// parameters' histograms and the mistakes that the network was surest of. A failure ends the writing, not the run.
/// </summary>
/// <param name="events">The file; owned by this.</param>
/// <param name="parameters">Gives the parameters as they are.</param>
/// <param name="predictions">The evaluation at hand; it must be told of it before this.</param>
/// <param name="note">Is told of a failure.</param>
internal sealed class TensorBoardLog(
    EventFileWriter events, Func<IReadOnlyDictionary<string, float[]>> parameters, TestPredictions predictions, Action<string> note) : ITrainingObserver, IDisposable
{
    private const int ShownMistakes = 8;

    private TrainingStart? _start;
    private TrainingProgress? _last;
    private bool _hasFailed;

    public void Started(TrainingStart start) => _start = start;

    public void Progressed(TrainingProgress progress) => Write(() =>
    {
        // The sums are the epoch's; what came since the last report is their difference.
        var (loss, correct, samples) = progress.Loss;
        if (_last is { } last && last.Epoch == progress.Epoch)
            (loss, correct, samples) = (loss - last.Loss.LossSum, correct - last.Loss.Correct, samples - last.Loss.Samples);
        _last = progress;
        TrainingRecipe recipe = _start!.Recipe;
        double factor = recipe.Schedule.Factor(progress.Step - 1, (long)_start.StepsPerEpoch * recipe.Epochs);
        events.Scalar("loss/train", progress.Step, (float)(loss / samples));
        events.Scalar("accuracy/train", progress.Step, (float)((double)correct / samples));
        events.Scalar("learning rate", progress.Step, (float)(recipe.LearningRate * factor));
        events.Scalar("samples per second", progress.Step, (float)progress.SamplesPerSecond);
    });

    public void EpochEnded(EpochResult epoch) => Write(() =>
    {
        events.Scalar("loss/train, by epoch", epoch.Step, (float)epoch.Train.Loss);
        events.Scalar("loss/test", epoch.Step, (float)epoch.Test.Loss);
        events.Scalar("accuracy/train, by epoch", epoch.Step, (float)epoch.Train.Accuracy);
        events.Scalar("accuracy/test", epoch.Step, (float)epoch.Test.Accuracy);
        foreach (var (name, values) in parameters())
            events.Histogram($"parameters/{name}", epoch.Step, values);
        foreach (var (i, mistake) in predictions.Mistakes.Take(ShownMistakes).Index())
        {
            ImageDataset images = predictions.TestSet;
            using SKBitmap picture = PixelPicture.Create(images.Image(mistake.Sample), images.Height, images.Width, images.Channels);
            events.Image($"mistakes/{i + 1}", epoch.Step, images.Height, images.Width, channels: 4, PixelPicture.EncodePng(picture));
        }
    });

    public void Dispose() => Write(events.Dispose);

    private void Write(Action write)
    {
        if (_hasFailed)
            return;
        try
        {
            write();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _hasFailed = true;
            note($"no more is written for TensorBoard: {e.Message}");
        }
    }
}
