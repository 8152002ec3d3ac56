using NinCudnn.Cli.Output;
using NinCudnn.Training;

namespace NinCudnn.Cli.Runs;

/// <summary>A point of a curve.</summary>
/// <param name="Epoch">How far the run was, in epochs.</param>
/// <param name="Value">What was measured there.</param>
internal readonly record struct CurvePoint(double Epoch, double Value);

/// <summary>
/// Collects a run's curves as Dive into Deep Learning draws them: loss and accuracy on the training set five times an epoch, each over the
/// epoch so far, and the accuracy on the test set after each epoch.
/// </summary>
/// <param name="before">What the run told before it was interrupted.</param>
internal sealed class RunHistory(RunMetrics before) : ITrainingObserver
{
    private const int PointsPerEpoch = 5;

    private int _stepsPerEpoch;
    private int _points; // of the epoch

    public List<CurvePoint> TrainLoss { get; } = [];

    public List<CurvePoint> TrainAccuracy { get; } = [];

    public List<CurvePoint> TestAccuracy { get; } = [];

    public void Started(TrainingStart start)
    {
        _stepsPerEpoch = start.StepsPerEpoch;
        for (int epoch = 1; epoch <= before.Epochs.Count + 1; epoch++)
        {
            foreach (ProgressEvent progress in before.Progress.Where(progress => progress.Epoch == epoch))
                AddProgress(epoch, progress.StepInEpoch, progress.TrainLoss, progress.TrainAccuracy);
            if (before.Epochs.FirstOrDefault(ended => ended.Epoch == epoch) is { } end)
                AddEpoch(epoch, end.TrainLoss, end.TrainAccuracy, end.TestAccuracy);
        }
    }

    public void Progressed(TrainingProgress progress) =>
        AddProgress(progress.Epoch, progress.StepInEpoch, progress.Loss.Loss, progress.Loss.Accuracy);

    public void EpochEnded(EpochResult epoch) => AddEpoch(epoch.Epoch, epoch.Train.Loss, epoch.Train.Accuracy, epoch.Test.Accuracy);

    private void AddProgress(int epoch, int stepInEpoch, double loss, double accuracy)
    {
        int points = (int)((long)stepInEpoch * PointsPerEpoch / _stepsPerEpoch);
        if (points == _points || stepInEpoch == _stepsPerEpoch)
            return;
        _points = points;
        double place = epoch - 1 + (double)stepInEpoch / _stepsPerEpoch;
        TrainLoss.Add(new CurvePoint(place, loss));
        TrainAccuracy.Add(new CurvePoint(place, accuracy));
    }

    private void AddEpoch(int epoch, double trainLoss, double trainAccuracy, double testAccuracy)
    {
        _points = 0;
        TrainLoss.Add(new CurvePoint(epoch, trainLoss));
        TrainAccuracy.Add(new CurvePoint(epoch, trainAccuracy));
        TestAccuracy.Add(new CurvePoint(epoch, testAccuracy));
    }
}
