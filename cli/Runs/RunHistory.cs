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
internal sealed class RunHistory : ITrainingObserver
{
    private const int PointsPerEpoch = 5;

    private int _stepsPerEpoch;
    private int _points; // of the epoch

    public List<CurvePoint> TrainLoss { get; } = [];

    public List<CurvePoint> TrainAccuracy { get; } = [];

    public List<CurvePoint> TestAccuracy { get; } = [];

    public void Started(TrainingStart start) => _stepsPerEpoch = start.StepsPerEpoch;

    public void Progressed(TrainingProgress progress)
    {
        int points = (int)((long)progress.StepInEpoch * PointsPerEpoch / _stepsPerEpoch);
        if (points == _points || progress.StepInEpoch == _stepsPerEpoch)
            return;
        _points = points;
        double epoch = progress.Epoch - 1 + (double)progress.StepInEpoch / _stepsPerEpoch;
        TrainLoss.Add(new CurvePoint(epoch, progress.Loss.Loss));
        TrainAccuracy.Add(new CurvePoint(epoch, progress.Loss.Accuracy));
    }

    public void EpochEnded(EpochResult epoch)
    {
        _points = 0;
        TrainLoss.Add(new CurvePoint(epoch.Epoch, epoch.Train.Loss));
        TrainAccuracy.Add(new CurvePoint(epoch.Epoch, epoch.Train.Accuracy));
        TestAccuracy.Add(new CurvePoint(epoch.Epoch, epoch.Test.Accuracy));
    }
}
