import Training

for member in TrainingConfiguration().members { profile(member) }
