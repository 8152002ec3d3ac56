using NinCudnn.Cli.Runs;
using NinCudnn.Training;

namespace NinCudnn.Cli.Reports;

/// <summary>What a run's page shows.</summary>
/// <param name="Directory">The run's directory.</param>
/// <param name="Run">The run.</param>
/// <param name="History">Its curves.</param>
/// <param name="Model">The trained model.</param>
/// <param name="Predictions">The last epoch's answers.</param>
/// <param name="LayerTimes">The layers' times; null if they could not be had.</param>
/// <param name="NoLayerTimes">Why they could not be had.</param>
internal sealed record ReportContent(
    string Directory, RunDocument Run, RunHistory History, ModelFile Model, TestPredictions Predictions, LayerTime[]? LayerTimes, string? NoLayerTimes);
