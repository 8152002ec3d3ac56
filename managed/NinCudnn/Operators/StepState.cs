using System.Runtime.InteropServices;

namespace NinCudnn.Operators;

/// <summary>What changes from step to step, as the kernels read it from device memory (native/kernels/step_state.h).</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct StepState
{
    /// <summary>Makes the state of one step.</summary>
    /// <param name="learningRate">The optimiser's rate in this step.</param>
    /// <param name="step">The step's number, from which dropout draws its mask.</param>
    /// <param name="lossScale">By what the loss gradient is multiplied, and the parameter gradients are divided again; 0 makes the optimiser skip the step.</param>
    public StepState(float learningRate, long step, float lossScale = 1)
    {
        LearningRate = learningRate;
        LossScale = lossScale;
        Step = step;
    }

    /// <summary>The optimiser's rate.</summary>
    public float LearningRate { get; }

    /// <summary>The factor on the loss gradient.</summary>
    public float LossScale { get; }

    /// <summary>The step's number.</summary>
    public long Step { get; }
}
