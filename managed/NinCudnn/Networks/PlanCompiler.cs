using System.Collections.Immutable;
using NinCudnn.Devices;
using NinCudnn.Operators;

namespace NinCudnn.Networks;

/// <summary>
/// Turns an architecture into an <see cref="ExecutionPlan"/>. One method per kind of layer queues its forward step and
/// leaves behind what queues its backward steps; reading <see cref="Build"/> from top to bottom follows a batch.
/// </summary>
internal sealed class PlanCompiler(Architecture architecture, PlanOptions options, PlanResources resources)
{
    private readonly List<PlanTensor> _tensors = [];
    private readonly List<PlanStep> _steps = [];
    private readonly List<IDisposable> _operators = [];

    // Of each layer passed, what adds its backward steps: from the gradient of its output to that of its input.
    private readonly Stack<Func<PlanTensor, PlanTensor>> _backward = new();

    private DeviceStream Stream => resources.Stream;

    private DataType Type => options.Operators.DataType;

    private bool IsTraining => options.Mode == PlanMode.Training;

    public ExecutionPlan Compile()
    {
        try
        {
            Outline outline = Build();
            long arenaBytes = ArenaPlanner.Place(_tensors);
            DeviceMemory arena = resources.Arena.KeepsTensorsApart ? default : resources.Arena.Reserve(arenaBytes);
            foreach (PlanTensor tensor in _tensors)
            {
                tensor.Memory = resources.Arena.KeepsTensorsApart
                    ? resources.Arena.ReserveSeparately(tensor.Bytes)
                    : arena.Slice(tensor.Offset, tensor.Bytes);
            }

            return new ExecutionPlan(Stream, options, [.. _steps], [.. _operators], arenaBytes)
            {
                Input = outline.Input.Memory,
                InputGradient = options.InputGradient ? outline.InputGradient.Memory : default,
                Logits = outline.Logits.Memory,
                ClassMaps = IsTraining ? default : outline.ClassMaps.Memory,
                LayerOutputs = options.KeepLayerOutputs ? [.. outline.LayerOutputs.Select(output => output.Memory)] : [],
            };
        }
        catch
        {
            _operators.ForEach(item => item.Dispose());
            throw;
        }
    }

    /// <summary>Compiles up to the placing of tensors.</summary>
    public PlanMemory Measure()
    {
        try
        {
            Build();
            long arenaBytes = ArenaPlanner.Place(_tensors);
            return new PlanMemory(
                resources.Parameters.Bytes + (resources.Average?.Bytes ?? 0), arenaBytes, [.. _steps.Select(step => $"{step.Layer} {step.Kind}")],
                [.. _tensors.Where(tensor => tensor.Bytes > 0).Select(tensor => new TensorPlace(tensor.Name, tensor.Offset, tensor.Bytes, tensor.FirstStep, tensor.LastStep))]);
        }
        finally
        {
            _operators.ForEach(item => item.Dispose());
        }
    }

    /// <summary>Makes the operators, and steps and tensors that have no place yet.</summary>
    private Outline Build()
    {
        ImmutableArray<TensorShape> shapes = architecture.InferShapes(options.Batch, options.Height, options.Width);
        if (options.Batch > resources.StepInput.MaxBatch)
            throw new ArgumentException($"a batch of {options.Batch} needs room for as many indices, there is room for {resources.StepInput.MaxBatch}");
        if (architecture.LargestBatch(options.Height, options.Width) is var largest && options.Batch > largest)
            throw new ArgumentException($"a batch of {options.Batch} makes tensors of 2³¹ elements and more, which cuDNN does not take; the largest is {largest}");
        var inputShape = new TensorShape(options.Batch, architecture.InputChannels, options.Height, options.Width);
        if (resources.Parameters.Precision.DataType() != Type)
            throw new ArgumentException($"the parameters are for {resources.Parameters.Precision}, the operators compute in {Type}");
        LossScaling? scaling = AddLossScaling();
        PlanTensor input = AddInput(inputShape);
        PlanTensor x = input;
        TensorShape shape = inputShape;
        var outputs = new List<PlanTensor>();
        for (int i = 0; i < architecture.Layers.Length; i++)
        {
            x = AddLayer(i, architecture.Layers[i], x, shape);
            shape = shapes[i];
            outputs.Add(x);
        }

        PlanTensor logits = x, classMaps = outputs[^3]; // what the average pool and the flatten at the end take
        PlanTensor gradient = AddLoss(logits, scaling);
        while (_backward.TryPop(out Func<PlanTensor, PlanTensor>? addBackward))
            gradient = addBackward(gradient);
        if (IsTraining && options.Sgd is { } sgd)
            AddUpdate(sgd, scaling);

        Keep(logits);
        if (!IsTraining)
            Keep(classMaps);
        if (resources.Images is null)
            Keep(input);
        if (options.InputGradient)
            Keep(gradient);
        if (options.KeepLayerOutputs)
            outputs.ForEach(Keep);
        return new Outline(input, gradient, logits, classMaps, outputs);
    }

    private PlanTensor AddInput(TensorShape shape)
    {
        PlanTensor x = Tensor("input", shape);
        if (resources.Images is { } images)
        {
            Normalization normalization = options.Normalization ?? Normalization.None(shape.C);
            ImageInput input = Own(new ImageInput(Stream, images.Shape, shape, normalization, Type));
            long imageBytes = shape.N * (images.Shape.Count / images.Shape.N);
            PlanTensor? changes = AddAugmentation(shape);
            AddStep("input", PlanStepKind.Input, 0, imageBytes, changes is null ? [x] : [x, changes],
                () => input.Forward(images.Images, resources.StepInput.Indices, x.Memory, changes?.Memory ?? default), outputs: [Numbers(x)]);
        }
        return x;
    }

    /// <returns>How each sample is to be changed; null where none is.</returns>
    private PlanTensor? AddAugmentation(TensorShape shape)
    {
        if (!IsTraining || options.Augmentation is not { } augmentation || augmentation == Augmentation.None)
            return null;
        var draw = new AugmentationDraw(Stream, shape, augmentation, options.Seed);
        PlanTensor changes = Scratch("augmentation", draw.Bytes);
        AddStep("augmentation", PlanStepKind.Input, 0, 0, [changes], () => draw.Run(resources.StepInput.State, changes.Memory));
        return changes;
    }

    private PlanTensor AddLayer(int index, Layer layer, PlanTensor x, TensorShape shape) => layer switch
    {
        NinBlock block => AddBlock(index, block, x, shape),
        MaxPool pool => AddPooling(index, Architecture.Pooling(pool, shape), x),
        GlobalAveragePool => AddPooling(index, Architecture.Pooling(shape), x),
        DropoutLayer dropout => AddDropout(index, dropout.Rate, x, shape),
        Flatten => x, // the same bytes
        _ => throw new ArgumentException($"layer {index}: {layer} has no operator"),
    };

    private PlanTensor AddBlock(int index, NinBlock block, PlanTensor x, TensorShape shape)
    {
        int position = 0;
        foreach (ConvolutionShape convolution in Architecture.Convolutions(block, shape))
        {
            x = AddConvolution($"{index}.{position}", convolution, x);
            position += 2; // PyTorch counts the rectifier behind each convolution
        }
        return x;
    }

    private PlanTensor AddConvolution(string name, ConvolutionShape shape, PlanTensor x)
    {
        ConvolutionOperator convolution = Own(ConvolutionOperator.Create(Stream, shape, Activation.Relu, options.Operators));
        DeviceMemory w = resources.Parameters.Value(name + ".weight"), b = resources.Parameters.Value(name + ".bias");
        PlanTensor y = Tensor(name, shape.Output);
        resources.Tuner?.Tune(convolution, ConvolutionDirection.Forward);
        PlanTensor workspace = Scratch(name + " workspace", convolution.ForwardWorkspaceBytes);
        AddStep(name, PlanStepKind.Forward, shape.MultiplyAdds, w.Bytes + b.Bytes, [x, y],
            () => convolution.Forward(x.Memory, w, b, y.Memory, workspace.Memory),
            convolution.MethodName(ConvolutionDirection.Forward), workspace,
            [Numbers(x), Numbers($"{name}.weight", w), Numbers($"{name}.bias", b)], [Numbers(y)]);
        if (!IsTraining)
            return y;

        bool isFirst = _backward.Count == 0;
        _backward.Push(dy =>
        {
            DeviceMemory dw = resources.Parameters.Gradient(name + ".weight"), db = resources.Parameters.Gradient(name + ".bias");
            Relu relu = Own(new Relu(Stream, shape.Output, Type));
            PlanTensor partialSums = Scratch(name + " bias sums", relu.BackwardWorkspaceBytes);
            AddStep(name, PlanStepKind.BackwardBias, 0, dy.Bytes + db.Bytes, [y, dy, partialSums], // dy is read and written
                () => relu.Backward(y.Memory, dy.Memory, db, partialSums.Memory),
                inputs: [Numbers(y), Gradient(dy)], outputs: [Gradient(dy), Gradient($"{name}.bias", db)]);

            PlanTensor dz = dy;
            resources.Tuner?.Tune(convolution, ConvolutionDirection.BackwardFilter);
            PlanTensor filterWorkspace = Scratch(name + " filter workspace", convolution.BackwardFilterWorkspaceBytes);
            AddStep(name, PlanStepKind.BackwardFilter, shape.MultiplyAdds, dw.Bytes, [x, dz],
                () => convolution.BackwardFilter(x.Memory, dz.Memory, dw, filterWorkspace.Memory),
                convolution.MethodName(ConvolutionDirection.BackwardFilter), filterWorkspace,
                [Numbers(x), Gradient(dz)], [Gradient($"{name}.weight", dw)]);
            if (isFirst && !options.InputGradient)
                return dz;

            PlanTensor dx = Tensor(name + " gradient", shape.Input);
            resources.Tuner?.Tune(convolution, ConvolutionDirection.BackwardData);
            PlanTensor dataWorkspace = Scratch(name + " data workspace", convolution.BackwardDataWorkspaceBytes);
            AddStep(name, PlanStepKind.BackwardData, shape.MultiplyAdds, w.Bytes, [dz, dx],
                () => convolution.BackwardData(w, dz.Memory, dx.Memory, dataWorkspace.Memory),
                convolution.MethodName(ConvolutionDirection.BackwardData), dataWorkspace,
                [Gradient(dz), Numbers($"{name}.weight", w)], [Gradient(dx)]);
            return dx;
        });
        return y;
    }

    private PlanTensor AddPooling(int index, PoolingShape shape, PlanTensor x)
    {
        string name = index.ToString(System.Globalization.CultureInfo.InvariantCulture);
        Pooling pooling = Own(new Pooling(Stream, shape, Type));
        PlanTensor y = Tensor(name, shape.Output);
        PlanTensor workspace = Scratch(name + " workspace", pooling.ForwardWorkspaceBytes);
        AddStep(name, PlanStepKind.Forward, 0, 0, [x, y], () => pooling.Forward(x.Memory, y.Memory, workspace.Memory), workspace: workspace,
            inputs: [Numbers(x)], outputs: [Numbers(y)]);
        if (!IsTraining)
            return y;

        _backward.Push(dy =>
        {
            PlanTensor dx = Tensor(name + " gradient", shape.Input);
            PlanTensor backwardWorkspace = Scratch(name + " gradient workspace", pooling.BackwardWorkspaceBytes);
            AddStep(name, PlanStepKind.BackwardData, 0, 0, [x, y, dy, dx],
                () => pooling.Backward(x.Memory, y.Memory, dy.Memory, dx.Memory, backwardWorkspace.Memory), workspace: backwardWorkspace,
                inputs: [Gradient(dy)], outputs: [Gradient(dx)]);
            return dx;
        });
        return y;
    }

    private PlanTensor AddDropout(int index, double rate, PlanTensor x, TensorShape shape)
    {
        if (!IsTraining || rate == 0)
            return x;

        string name = index.ToString(System.Globalization.CultureInfo.InvariantCulture);
        var dropout = new Dropout(Stream, shape, rate, options.Seed, index, Type);
        // Not in place: the backward pass of a pooling before it needs its output.
        PlanTensor y = Tensor(name, shape);
        AddStep(name, PlanStepKind.Forward, 0, 0, [x, y], () => dropout.Forward(x.Memory, resources.StepInput.State, y.Memory),
            inputs: [Numbers(x)], outputs: [Numbers(y)]);
        _backward.Push(dy =>
        {
            AddStep(name, PlanStepKind.BackwardData, 0, dy.Bytes, [dy],
                () => dropout.Backward(dy.Memory, resources.StepInput.State, dy.Memory),
                inputs: [Gradient(dy)], outputs: [Gradient(dy)]);
            return dy;
        });
        return y;
    }

    private PlanTensor AddLoss(PlanTensor logits, LossScaling? scaling)
    {
        int n = options.Batch, classes = architecture.Classes;
        var loss = new SoftmaxCrossEntropy(Stream, n, classes, Type, IsTraining ? options.LabelSmoothing : 0);
        PlanTensor sampleLoss = Scratch("loss", (long)n * sizeof(float));
        PlanTensor sampleCorrect = Scratch("correct", n);
        PlanTensor gradient = IsTraining ? Tensor("logits gradient", new TensorShape(n, classes, 1, 1)) : Scratch("no gradient", 0);
        AddStep("loss", PlanStepKind.Loss, 0, 0, [logits, gradient, sampleLoss, sampleCorrect],
            () => loss.Run(
                logits.Memory, resources.Labels, resources.StepInput.Indices, resources.StepInput.State,
                sampleLoss.Memory, sampleCorrect.Memory, IsTraining ? gradient.Memory : default),
            inputs: [Numbers(logits)],
            outputs: [new PlanOperand("the images' losses", () => sampleLoss.Memory, DataType.Float32), .. IsTraining ? [Gradient(gradient)] : Array.Empty<PlanOperand>()]);
        AddStep("loss", PlanStepKind.Loss, 0, 0, [sampleLoss, sampleCorrect],
            () => loss.Accumulate(sampleLoss.Memory, sampleCorrect.Memory, resources.Loss.Sums, onlyFinite: scaling is not null));
        if (scaling is not null)
        {
            DeviceMemory scaler = resources.LossScaler!.Value;
            AddStep("loss", PlanStepKind.Loss, 0, 0, [sampleLoss], () => scaling.CheckLoss(sampleLoss.Memory, scaler));
        }
        return gradient;
    }

    /// <returns>What skips steps that are not finite; null where none are.</returns>
    private LossScaling? AddLossScaling()
    {
        if (!IsTraining || options.Sgd is null)
            return null;
        if (resources.LossScaler is not { } scaler)
        {
            // Only float16 has too few exponents for gradients as they are.
            return Type != DataType.Float16 ? null : throw new ArgumentException("training in Float16 needs a loss scaler among the plan's resources");
        }
        var scaling = new LossScaling(Stream, resources.Parameters.FlatCount, Type);
        AddStep("finite", PlanStepKind.Loss, 0, scaler.Bytes, [], () => scaling.Begin(scaler, resources.StepInput.State));
        return scaling;
    }

    private void AddUpdate(SgdSettings settings, LossScaling? scaling)
    {
        ParameterStore parameters = resources.Parameters;
        if (scaling is not null)
        {
            DeviceMemory scaler = resources.LossScaler!.Value;
            AddStep("finite", PlanStepKind.Update, 0, parameters.Gradients.Bytes,
                [], () => scaling.End(parameters.Gradients, scaler, resources.StepInput.State));
        }
        PlanTensor? clipFactor = AddClipping();
        var sgd = new SgdStep(Stream, parameters.FlatCount, settings, Type, options.EmaDecay);
        DeviceMemory momentum = settings.Momentum == 0 ? default : parameters.Momentum;
        var (values, compute) = Written(parameters);
        var (average, computeAverage) = options.EmaDecay is null
            ? default
            : Written(resources.Average ?? throw new ArgumentException("a moving average needs a place among the plan's resources"));
        AddStep("sgd", PlanStepKind.Update, 0,
            parameters.Gradients.Bytes + 2 * (values.Bytes + momentum.Bytes + average.Bytes) + compute.Bytes + computeAverage.Bytes,
            clipFactor is null ? [] : [clipFactor],
            () => sgd.Run(
                parameters.Gradients, resources.StepInput.State, values, momentum, compute, clipFactor?.Memory ?? default, average, computeAverage),
            inputs: [.. parameters.Parameters.Select(parameter => Gradient(parameter.Name, parameters.Gradient(parameter.Name)))],
            outputs: [.. Each("", values), .. Each("the momentum of ", momentum), .. Each("the moving average of ", average)]);

        IEnumerable<PlanOperand> Each(string kind, DeviceMemory flat) => flat == default ? [] : parameters.Parameters.Select(parameter =>
            Numbers(kind + parameter.Name, flat.Slice(parameter.Offset * sizeof(float), (long)parameter.Count * sizeof(float)), DataType.Float32) with
            {
                Parameter = parameter.Name,
            });

        static (DeviceMemory Values, DeviceMemory Compute) Written(ParameterStore store) =>
            (store.Values, store.Precision.DataType() == DataType.Float32 ? default : store.ComputeValues);
    }

    /// <returns>The factor on the gradients; null where they are not clipped.</returns>
    private PlanTensor? AddClipping()
    {
        if (options.ClipNorm is not { } maxNorm)
            return null;
        ParameterStore parameters = resources.Parameters;
        var clipping = new GradientClipping(Stream, parameters.FlatCount, maxNorm, Type);
        PlanTensor factor = Scratch("clip factor", sizeof(float));
        PlanTensor workspace = Scratch("clip workspace", clipping.WorkspaceBytes);
        AddStep("clip", PlanStepKind.Update, 0, parameters.Gradients.Bytes, [factor],
            () => clipping.Run(parameters.Gradients, resources.StepInput.State, factor.Memory, workspace.Memory), workspace: workspace,
            outputs: [Gradient(factor) with { Type = DataType.Float32 }]);
        return factor;
    }

    private PlanOperand Numbers(PlanTensor tensor) => new(tensor.Name, () => tensor.Memory, Type) { Shape = tensor.Shape };

    private PlanOperand Numbers(string name, DeviceMemory memory) => Numbers(name, memory, Type);

    private static PlanOperand Numbers(string name, DeviceMemory memory, DataType type) => new(name, () => memory, type);

    private PlanOperand Gradient(PlanTensor tensor) => Numbers(tensor) with { IsGradient = true };

    private PlanOperand Gradient(string parameter, DeviceMemory memory) =>
        Numbers($"the gradient of {parameter}", memory) with { IsGradient = true, Parameter = parameter };

    private PlanTensor Tensor(string name, TensorShape shape) => Scratch(name, shape.Count * Type.Bytes(), shape);

    private PlanTensor Scratch(string name, long bytes, TensorShape? shape = null)
    {
        var tensor = new PlanTensor(name, bytes, shape);
        _tensors.Add(tensor);
        return tensor;
    }

    /// <param name="layer">The layer or convolution.</param>
    /// <param name="kind">What the step does.</param>
    /// <param name="multiplyAdds">Its work.</param>
    /// <param name="parameterBytes">Bytes that it must read and write outside the arena.</param>
    /// <param name="operands">What it must read and write in the arena.</param>
    /// <param name="enqueue">Queues it.</param>
    /// <param name="method">A convolution's method.</param>
    /// <param name="workspace">Scratch memory; how often it is touched is the method's affair, so it does not count as traffic.</param>
    /// <param name="inputs">The numbers that it reads, to be looked at by <see cref="ExecutionPlan.RunChecked"/>.</param>
    /// <param name="outputs">The numbers that it writes.</param>
    private void AddStep(
        string layer, PlanStepKind kind, long multiplyAdds, long parameterBytes, ReadOnlySpan<PlanTensor> operands, Action enqueue,
        string? method = null, PlanTensor? workspace = null, PlanOperand[]? inputs = null, PlanOperand[]? outputs = null)
    {
        long bytes = parameterBytes;
        foreach (PlanTensor operand in operands)
        {
            Touch(operand);
            bytes += operand.Bytes;
        }
        if (workspace is not null)
            Touch(workspace);
        _steps.Add(new PlanStep(layer, kind, multiplyAdds, bytes, enqueue)
        {
            Method = method,
            WorkspaceBytes = workspace?.Bytes ?? 0,
            Inputs = [.. inputs ?? []],
            Outputs = [.. outputs ?? []],
        });
    }

    private void Touch(PlanTensor tensor)
    {
        tensor.FirstStep = Math.Min(tensor.FirstStep, _steps.Count);
        tensor.LastStep = _steps.Count;
    }

    /// <summary>Keeps a tensor's bytes to itself during the whole plan, so that it can be read after a run and written before one.</summary>
    private void Keep(PlanTensor tensor)
    {
        tensor.FirstStep = 0;
        tensor.LastStep = _steps.Count;
    }

    private T Own<T>(T item)
        where T : IDisposable
    {
        _operators.Add(item);
        return item;
    }

    private sealed record Outline(PlanTensor Input, PlanTensor InputGradient, PlanTensor Logits, PlanTensor ClassMaps, List<PlanTensor> LayerOutputs);
}
